import hashlib
import struct


class Digest:
    """SHA-256 over items with their lengths; digest.ts computes the same."""

    def __init__(self):
        self.sha = hashlib.sha256()

    def text(self, text):
        data = text.encode()
        self.sha.update(struct.pack("<I", len(data)) + data)

    def ids(self, ids):
        self.sha.update(struct.pack(f"<I{len(ids)}I", len(ids), *ids))

    def hex(self):
        return self.sha.hexdigest()
