"""What a separation is worth, told from the mix and the stems alone: a prediction with an error bar."""
