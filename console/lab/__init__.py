"""The lab's pages: ask for sets, see them side by side, read and mark them."""
