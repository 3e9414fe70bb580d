"""What tests share: waiting for a condition, a private RabbitMQ and PostgreSQL. Never imported by the product."""
