"""Plan and load: the YAML drills, their schema, arrivals, customers, and the Locust users that play them."""
