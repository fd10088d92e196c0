"""Mirrors `megafish_assets`; plus the graph, the direction of imports, and whole collections end to end."""
