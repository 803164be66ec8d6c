"""What people write of a persona, ``personas/<id>.yml``: how such a file is read and what it may say."""
