"""Business rules, one service for each subject; no SDK, no environment, no clock of its own."""
