"""The library under the services; never imports services."""
