"""What the rooms say to each other, and all that a method author needs."""
