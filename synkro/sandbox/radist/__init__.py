"""The stand-in of Radist.Online."""
