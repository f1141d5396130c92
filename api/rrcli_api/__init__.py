"""The REST service on Falcon."""
