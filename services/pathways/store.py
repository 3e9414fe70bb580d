"""Tables of pathways: the programme definitions of this node."""

from shared.programmes.shelf import Shelf

shelf = Shelf("pathways")
