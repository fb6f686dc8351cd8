"""What the experiments are made of: the victim, the load and the sink that know the truth, the faults."""
