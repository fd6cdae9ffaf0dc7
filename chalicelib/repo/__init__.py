"""Data access: one module for each table, the only place that knows DynamoDB."""
