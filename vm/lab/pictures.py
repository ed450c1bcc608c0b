"""What a picture is of, as far as a few points of it tell. Must not know how it came here."""

import io

import av
import numpy

# A frame as it is remembered: this many points across and down.
ACROSS, DOWN = 16, 12
# The lines of text in a corner of vivid's picture end above these rows, also in the smallest one.
BELOW = slice(-2, None)
# What the ends of vivid's bars are, from its white (75 %) to its black, how many edges are seen between the eight at least,
# and by how much a coded point may be off.
WHITE, BLACK, EDGES, OFF = 140, 40, 5, 8
# How bright the slate is: neither the camera's black nor that of the recorded stream. Its words take less than the rest.
DARK, WORDLESS = (25, 41), 0.7


def grid(plane, width, height):
    """The brightness of a picture in the middle of each field of a grid."""
    grey = numpy.frombuffer(plane, numpy.uint8).reshape(-1, plane.line_size)[:height, :width]
    rows = (numpy.arange(DOWN) * 2 + 1) * height // (2 * DOWN)
    columns = (numpy.arange(ACROSS) * 2 + 1) * width // (2 * ACROSS)
    return grey[numpy.ix_(rows, columns)].astype(numpy.int16)


def jpeg(octets):
    """The points and the size of a JPEG."""
    with av.open(io.BytesIO(octets), format="mjpeg") as file:
        frame = next(file.decode(video=0))
    return grid(frame.planes[0], frame.width, frame.height), (frame.width, frame.height)


def bars(points):
    """Whether it is what vivid shows as it comes: bars, from white on the left to black on the right. Our test picture and
    our slate have none."""
    row = points[BELOW].mean(axis=0)
    steps = numpy.diff(row)
    return bool(row[0] > WHITE and row[-1] < BLACK and (steps < OFF).all() and (steps < -OFF).sum() >= EDGES)


def mirrored(points):
    """The same, turned."""
    return bars(points[:, ::-1])


def slate(points):
    """Whether it is the picture that stands in for the camera's: dark all over, with words."""
    middle = numpy.median(points)
    return bool(DARK[0] <= middle <= DARK[1] and (abs(points - middle) <= OFF).mean() >= WORDLESS)


def recorded(points):
    """Whether it is the stream that the encoder in hardware answers with, whatever it is given: a ball before black."""
    return bool(numpy.median(points) < DARK[0])


def other(points):
    """Anything else: noise, or what a fed camera shows."""
    return not (bars(points) or slate(points) or recorded(points))


def named(points):
    """What it is, in a word."""
    return next((kind.__name__ for kind in (bars, mirrored, slate, recorded) if kind(points)), "something else")
