"""PostgreSQL through psql."""
import subprocess


class PostgreSQL:
    def __init__(self, url):
        self.url = url

    def rows(self, query):
        """The rows of `query` as lists of text; NULL is None. Columns must hold neither tabs nor line ends: hex or digest them."""
        command = ["psql", self.url, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", f"COPY ({query}) TO STDOUT"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # Sessions of their own error stream are small; rows are read as they come.
        for line in process.stdout:
            yield [None if value == "\\N" else value for value in line.decode().rstrip("\n").split("\t")]
        error = process.stderr.read().decode()
        if process.wait() != 0:
            raise RuntimeError(f"psql: {error.strip()}")

    def value(self, query):
        return next(iter(list(self.rows(query))))[0]


def hexed(column):
    """SQL for the bytes of a text or JSON column as hex."""
    return f"encode(convert_to({column}::text, 'UTF8'), 'hex')"
