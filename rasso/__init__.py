"""The front door: the command line and the settings. No business logic lives here."""
