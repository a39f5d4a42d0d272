"""The store of the cloud: one DynamoDB table."""
