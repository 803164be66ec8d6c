"""What an opened release says to people: pure functions over it. How a release is opened is in ``publish``, how it is drawn in ``dashboard``."""
