//! Cut at every byte, and a bit flipped at every byte.
