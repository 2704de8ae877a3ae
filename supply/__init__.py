"""What the program is made of: the lock, the licences, the bill of materials; docs/supply-chain.md."""
