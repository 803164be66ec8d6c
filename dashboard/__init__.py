"""The web app. It draws what ``orchestration.read`` says of a release; it asks no table itself, and decides nothing."""
