"""How people fare: assessments by pinned instruments, and their scores."""
