"""For staff: companies, people, the audit, health and queues."""
