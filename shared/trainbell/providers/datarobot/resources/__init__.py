"""DataRobot's calls, a module per resource. No retries, no sleeping.

Errors are those of `providers.http_errors`: a 404 of something that is read, changed or deleted is
ProviderJobMissing; a 409 and a 422 are ProviderRejected with that `http_status`. Whatever creates
something is sent once and never again: a lost answer is StartOutcomeUnknown.
"""
