"""The JSON API: one app, served by Lambda in the cloud and by uvicorn on one machine."""
