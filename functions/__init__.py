"""One file for each Lambda function, named after its route or task."""
