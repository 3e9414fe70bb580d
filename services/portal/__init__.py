"""The web edge of a home: pages for its users; owns users and web sessions, holds no domain data."""
