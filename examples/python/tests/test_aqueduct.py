"""What the module promises: nothing is copied, and memory stays as long as it is looked at.

`python3 -m unittest` in this folder's parent, with the built module on the path.
"""

import gc
import os
import sys
import threading
import unittest

from aqueduct import Block, Pool, Slice, copied

try:
    import numpy
except ImportError:
    numpy = None

ORACLE = bytes(range(256)) * 16


def filled(data, **how):
    """A slice of `data` that came in through a file, and the pool of its block."""
    pool = Pool(**how)
    block = pool.get(len(data))
    memoryview(block)[:] = data
    return block.freeze(), pool


class NoCopies(unittest.TestCase):
    """Whatever is done here, Aqueduct's own meter stands still."""

    def setUp(self):
        self.before = copied()

    def tearDown(self):
        self.assertEqual(copied(), self.before)


class Slicing(NoCopies):
    def test_parts_are_what_bytes_says_and_where_the_whole_is(self):
        data = ORACLE[:64]
        whole, _ = filled(data)
        bounds = [None, 0, 1, 2, 10, 63, 64, 65, 1000, -1, -10, -64, -65, -1000]
        for start in bounds:
            for stop in bounds:
                part, said = whole[start:stop], data[start:stop]
                self.assertEqual((bytes(part), len(part)), (said, len(said)))
                if said:
                    first = slice(start, stop).indices(64)[0]
                    self.assertEqual(part.address, whole.address + first)
        self.assertEqual(whole[2:10][1:3].address, whole.address + 3)

    def test_bytes_are_what_bytes_says(self):
        whole, _ = filled(ORACLE)
        for at in [0, 1, 4095, -1, -4096]:
            self.assertEqual(whole[at], ORACLE[at])
        self.assertEqual(list(whole[:300]), list(ORACLE[:300]))
        for at in [4096, -4097, sys.maxsize, -sys.maxsize - 1]:
            self.assertRaises(IndexError, lambda at=at: whole[at])

    def test_gaps_are_refused(self):
        whole, _ = filled(ORACLE)
        for step in [2, -1]:
            self.assertRaises(ValueError, lambda step=step: whole[::step])
        self.assertRaises(TypeError, lambda: whole["a"])


class Views(NoCopies):
    def test_a_view_is_read_only_and_has_every_byte(self):
        whole, _ = filled(ORACLE)
        view = memoryview(whole)
        self.assertTrue(view.readonly and view.c_contiguous)
        self.assertEqual((view.format, view.nbytes), ("B", 4096))
        self.assertEqual(view, ORACLE)
        with self.assertRaises(TypeError):
            view[0] = 1
        self.assertRaises((BufferError, TypeError), os.readv, -1, [whole])
        self.assertEqual(memoryview(whole[7:7]), b"")

    def test_a_view_keeps_the_block(self):
        whole, pool = filled(ORACLE)
        view = memoryview(whole)[100:]
        del whole
        gc.collect()
        self.assertEqual(pool.outstanding, 1)
        self.assertEqual(view, ORACLE[100:])
        view.release()
        self.assertEqual(pool.outstanding, 0)

    def test_a_part_keeps_the_block_on_any_thread(self):
        whole, pool = filled(ORACLE)
        parts = [whole[i : i + 100] for i in range(100)]
        del whole

        def drop(own):
            while own:
                part = own.pop()
                assert memoryview(part)[-1] == part[99]

        threads = [threading.Thread(target=drop, args=(parts[i::4],)) for i in range(4)]
        parts.clear()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        del threads, thread
        self.assertEqual(pool.outstanding, 0)

    def test_alignment_is_had_or_an_error_says_how_far_it_is(self):
        whole, _ = filled(ORACLE, alignment=4096)
        self.assertIs(whole.aligned(4096), whole)
        self.assertEqual(whole[64:].aligned(64).address, whole.address + 64)
        with self.assertRaisesRegex(ValueError, "3 bytes behind a multiple of 8"):
            whole[3:].aligned(8)
        for no_alignment in [0, 3, 24]:
            self.assertRaises(ValueError, whole.aligned, no_alignment)
        for no_alignment in [0, 3, 1 << 20]:
            self.assertRaises(ValueError, Pool, alignment=no_alignment)


class Blocks(NoCopies):
    def test_a_file_is_read_where_the_slice_is(self):
        pool = Pool()
        block = pool.get(1000)
        with open(__file__, "rb", buffering=0) as file:
            count = file.readinto(block)
        whole = block.freeze(count)
        with open(__file__, "rb") as file:
            self.assertEqual(memoryview(whole), file.read(1000))
        self.assertEqual(pool.outstanding, 1)
        del whole
        self.assertEqual(pool.outstanding, 0)

    def test_who_may_write_is_alone(self):
        block = Pool().get(10)
        view = memoryview(block)
        self.assertFalse(view.readonly)
        self.assertEqual(view.nbytes, len(block))
        self.assertRaises(BufferError, memoryview, block)
        self.assertRaises(BufferError, block.freeze)
        view[:] = b"0123456789"
        view.release()
        self.assertRaises(ValueError, block.freeze, 11)
        self.assertRaises(OverflowError, block.freeze, -1)
        self.assertEqual(bytes(block.freeze(4)), b"0123")
        self.assertRaises(BufferError, memoryview, block)
        self.assertRaises(BufferError, block.freeze)

    def test_a_view_outlives_the_block(self):
        pool = Pool()
        view = memoryview(pool.get(10))
        view[:] = b"0123456789"
        self.assertEqual((bytes(view), pool.outstanding), (b"0123456789", 1))
        del view
        self.assertEqual(pool.outstanding, 0)

    def test_what_cannot_be_had_is_an_error(self):
        self.assertRaises(MemoryError, Pool().get, sys.maxsize)
        self.assertRaises(OverflowError, Pool().get, -1)
        self.assertRaises(TypeError, Block)
        self.assertEqual(len(Pool().get(0).freeze()), 0)


class Owners(NoCopies):
    def test_bytes_are_kept_where_they_are(self):
        data = os.urandom(1000)
        count = sys.getrefcount(data)
        whole = Slice.from_buffer(data)
        self.assertEqual(sys.getrefcount(data), count + 1)
        part = whole[10:]
        del whole
        self.assertEqual(sys.getrefcount(data), count + 1)
        self.assertEqual(memoryview(part), data[10:])
        again = Slice.from_buffer(memoryview(part)[5:])
        self.assertEqual(again.address, part.address + 5)
        del part, again
        self.assertEqual(sys.getrefcount(data), count)

    def test_a_view_of_bytes_is_a_part_of_them(self):
        data = os.urandom(64)
        whole = Slice.from_buffer(data)
        for view in [memoryview(data), memoryview(data).cast("I"), memoryview(data)[:0]]:
            self.assertEqual(bytes(Slice.from_buffer(view)), view.tobytes())
        part = Slice.from_buffer(memoryview(data)[3:].toreadonly()[4:9])
        self.assertEqual((part.address, bytes(part)), (whole.address + 7, data[7:12]))
        self.assertRaises(ValueError, Slice.from_buffer, memoryview(data)[::2])
        released = memoryview(data)
        released.release()
        self.assertRaises(ValueError, Slice.from_buffer, released)
        for empty in [b"", memoryview(b""), memoryview(whole[5:5])]:
            self.assertEqual(len(Slice.from_buffer(empty)), 0)

    def test_what_somebody_may_write_to_is_refused(self):
        writable = bytearray(100)
        block = Pool().get(100)
        read_only = [memoryview(o).toreadonly() for o in (writable, block)]
        for other in [writable, memoryview(writable), block, *read_only, "text", None, 7]:
            self.assertRaises(TypeError, Slice.from_buffer, other)


class Copying(unittest.TestCase):
    def test_the_one_copy_is_counted(self):
        before = copied()
        whole = Slice(ORACLE)
        self.assertEqual(copied() - before, len(ORACLE))
        self.assertEqual(memoryview(whole), ORACLE)
        self.assertIn("4096 bytes", repr(whole))


@unittest.skipUnless(numpy, "numpy is not installed")
class Numpy(NoCopies):
    def address(self, array):
        return array.__array_interface__["data"][0]

    def test_an_array_is_the_slice(self):
        whole, pool = filled(ORACLE, alignment=64)
        array = numpy.frombuffer(whole.aligned(4), dtype="<u4")
        self.assertEqual(self.address(array), whole.address)
        self.assertFalse(array.flags.writeable)
        self.assertTrue(array.flags.aligned)
        self.assertEqual(array.tobytes(), ORACLE)
        part = numpy.frombuffer(whole[8:16], dtype="<f8")
        self.assertEqual(self.address(part), whole.address + 8)
        del whole, array
        self.assertEqual(pool.outstanding, 1)
        del part
        self.assertEqual(pool.outstanding, 0)

    def test_an_array_that_is_written_freezes_into_a_slice(self):
        block = Pool(alignment=8).get(800)
        array = numpy.frombuffer(block, dtype="<i8")
        array[:] = numpy.arange(100)
        address = self.address(array)
        self.assertRaises(BufferError, block.freeze)
        del array
        whole = block.freeze()
        self.assertEqual(whole.address, address)
        self.assertEqual(numpy.frombuffer(whole, dtype="<i8").sum(), 4950)

    def test_an_array_is_no_owner(self):
        array = numpy.arange(100)
        array.flags.writeable = False
        self.assertRaises(TypeError, Slice.from_buffer, array)


if __name__ == "__main__":
    unittest.main()
