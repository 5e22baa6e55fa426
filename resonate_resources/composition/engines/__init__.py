"""What makes stems of a plan: an engine a module, behind one Protocol."""
