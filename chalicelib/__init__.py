"""lambchat: what the REST API and the Lambda functions share."""
