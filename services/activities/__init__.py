"""What is offered: sessions, attendance, head-counts."""
