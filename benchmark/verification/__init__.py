"""What is done to records after a run: verified, scored again, remarked on, taken in. No method runs."""
