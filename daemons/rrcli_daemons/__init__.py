"""The three daemons: prequeuer, dispatcher, worker. They meet only in queues."""
