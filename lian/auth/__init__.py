"""Who somebody is, what they may do, and which cases they may see."""
