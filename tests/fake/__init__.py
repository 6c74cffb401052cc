"""A scripted IMAP server: a small real one over mailboxes in memory, whose every answer a test
can replace, cut, stall or spoil; or a player of transcripts. Standard library only."""

from .certs import Certs
from .mailbox import Mailbox, Message, VirtualMailbox
from .server import Server
from .session import CAPABILITIES
from .wire import Drop

__all__ = ['CAPABILITIES', 'Certs', 'Drop', 'Mailbox', 'Message', 'Server', 'VirtualMailbox']
