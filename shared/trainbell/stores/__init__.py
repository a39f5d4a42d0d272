"""Where jobs are kept: DynamoDB and SQLite, behind `ports.Store`, under one contract suite."""
