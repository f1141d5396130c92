"""The use cases that command line, REST service and daemons share."""
