"""What is shipped beside the code: rules, dashboard, runbooks."""
