"""The same commands against a REST service elsewhere: `rrcli --server URL --api-key K`."""
