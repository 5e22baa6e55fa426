"""What is made for the ear and the eye alone."""
