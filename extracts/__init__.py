"""What suppliers send: contracts, deliveries, and reading their files safely. Opens no lake."""
