"""The ground floor: services, recording a decision, the way to a service, shared checks."""
