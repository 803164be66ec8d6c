"""From the files that other systems drop to the typed archive. Knows files; knows no rule about their contents."""
