"""Every container with every codec, and what cameras and editors do to them: which picture has which id and time.

Pictures are numbered; Debian's ffmpeg says what is shown, and when, besides what is known from how a file was made.
"""

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from megafish_assets.footage.containers import UnreadableVideoError, container_times
from megafish_assets.footage.decoding import Frame, frame_index, wanted_frames
from megafish_assets_tests.fields import field_units
from megafish_assets_tests.numbered import SIZE_WH, number_in, remux, shown_by_ffmpeg, write

N = 60


pytestmark = pytest.mark.usefixtures("beside_ffmpeg")


CODECS: dict[str, dict[str, str]] = {
    "h264": {"codec": "libx264", "g": "25", "bf": "2", "crf": "16"},
    "h264 interlaced": {"codec": "libx264", "crf": "12", "flags": "+ilme+ildct", "x264_params": "tff=1"},
    "h264 open groups": {"codec": "libx264", "crf": "16", "x264_params": "open-gop=1:keyint=25:bframes=3:scenecut=0"},
    "h264 refreshed": {"codec": "libx264", "crf": "16", "x264_params": "intra-refresh=1:keyint=25:bframes=0"},
    "hevc": {"codec": "libx265", "crf": "16", "x265_params": "log-level=none:keyint=25:bframes=3"},
    "hevc open groups": {
        "codec": "libx265",
        "crf": "16",
        "x265_params": "log-level=none:open-gop=1:keyint=25:bframes=4:scenecut=0",
    },
    "mpeg4": {"codec": "mpeg4", "g": "25", "bf": "2", "b": "8M"},
    "mpeg2": {"codec": "mpeg2video", "g": "12", "bf": "2", "b": "8M"},
    "mpeg2 interlaced": {"codec": "mpeg2video", "g": "12", "bf": "2", "b": "8M", "flags": "+ilme+ildct", "qmin": "1"},
    "mpeg1": {"codec": "mpeg1video", "g": "12", "bf": "2", "b": "8M", "fps": 25},
    "mjpeg": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "prores": {"codec": "prores_ks", "pix_fmt": "yuv422p10le"},
    "dv": {"codec": "dvvideo", "size_wh": (720, 576), "fps": 25},
    "vp8": {"codec": "libvpx", "g": "25", "b": "4M", "auto_alt_ref": "1", "lag_in_frames": "10"},
    "vp9": {"codec": "libvpx-vp9", "g": "25", "b": "4M", "cpu_used": "8"},
    "av1": {"codec": "libsvtav1", "g": "25", "crf": "10", "preset": "8"},
    "wmv2": {"codec": "wmv2", "b": "8M", "g": "25"},
    "msmpeg4": {"codec": "msmpeg4", "b": "8M", "g": "25"},
    "flv1": {"codec": "flv", "b": "8M", "g": "25"},
    "ffv1": {"codec": "ffv1"},
    "huffyuv": {"codec": "huffyuv", "pix_fmt": "yuv422p"},
    "raw": {"codec": "rawvideo", "pix_fmt": "bgr24"},
}
"""Encoders' options, fine enough that the bars can be read."""

CONTAINERS = {
    "mp4": ["h264", "h264 interlaced", "h264 open groups", "hevc", "hevc open groups", "mpeg4", "mjpeg", "av1", "vp9"],
    "mov": ["h264", "hevc", "prores", "mjpeg", "dv", "mpeg4"],
    "mkv": ["h264", "h264 interlaced", "h264 refreshed", "hevc", "mpeg4", "mpeg2", "vp8", "vp9", "av1", "ffv1"],
    "avi": ["mpeg4", "h264", "mjpeg", "dv", "mpeg2", "msmpeg4", "huffyuv", "raw"],
    "ts": ["h264", "h264 interlaced", "h264 open groups", "hevc", "mpeg2", "mpeg2 interlaced", "mpeg1"],
    "m2ts": ["h264", "mpeg2"],
    "mpg": ["mpeg2", "mpeg1"],
    "vob": ["mpeg2"],
    "wmv": ["wmv2", "mpeg4"],
    "flv": ["h264", "flv1"],
    "webm": ["vp8", "vp9", "av1"],
    "3gp": ["h264"],
    "h264": ["h264", "h264 interlaced"],
    "hevc": ["hevc"],
    "m2v": ["mpeg2"],
    "m4v": ["mpeg4"],
}
PAIRS = [(container, codec) for container, codecs in CONTAINERS.items() for codec in codecs]


def made(folder: Path, container: str, codec: str, numbers: range = range(N), **more: object) -> Path:
    options = CODECS[codec] | more
    return write(folder / f"{codec.replace(' ', '_')}_{numbers.start}.{container}", numbers, **options)


def got(path: Path) -> list[Frame]:
    """Every frame that the product gives, and some room for frames that are not there."""
    return list(wanted_frames(path, range(1_000)))


def numbers_of(frames: list[Frame]) -> list[int]:
    return [number_in(frame.pixels_bgr) for frame in frames]


def assert_as_ffmpeg_shows(path: Path, numbers: list[int], size_wh: tuple[int, int] = SIZE_WH) -> None:
    """These numbers in order, each under its id and at ffmpeg's time."""
    shown, seconds = shown_by_ffmpeg(path, size_wh)
    assert shown == numbers, "the file is not what the test takes it for"
    frames = got(path)
    assert [frame.frame_id for frame in frames] == list(range(len(numbers)))
    assert numbers_of(frames) == numbers
    # Containers round stamps to their time base, in thousandths at the coarsest.
    assert [frame.presentation_seconds for frame in frames] == pytest.approx(seconds, abs=2.1e-3)


@pytest.mark.parametrize(("container", "codec"), PAIRS, ids=[f"{codec} in {container}" for container, codec in PAIRS])
def test_each_codec_in_each_container_shows_its_frames_in_order(tmp_path: Path, container: str, codec: str) -> None:
    path = made(tmp_path, container, codec)
    assert_as_ffmpeg_shows(path, list(range(N)), CODECS[codec].get("size_wh", SIZE_WH))


def without_first(n: int) -> Callable[[list[av.Packet]], list[av.Packet]]:
    """A recording that was joined while it ran."""

    def change(packets: list[av.Packet]) -> list[av.Packet]:
        kept = packets[n:]
        start = min(packet.dts for packet in kept)
        for packet in kept:
            packet.pts, packet.dts = packet.pts - start, packet.dts - start
        return kept

    return change


@pytest.mark.parametrize(
    ("container", "codec", "numbers"),
    [
        *[(container, "h264", range(25, 100)) for container in ("mp4", "mkv", "ts", "flv")],
        *[(container, "h264 open groups", range(25, 100)) for container in ("mp4", "mkv")],
        *[(container, "mpeg2", range(12, 100)) for container in ("mkv", "ts", "mpg")],
        ("webm", "vp8", range(25, 100)),
        ("webm", "vp9", range(25, 100)),
    ],
)
def test_a_start_between_key_frames_moves_no_id(tmp_path: Path, container: str, codec: str, numbers: range) -> None:
    whole = made(tmp_path, "mkv" if container == "webm" else "mp4", codec, range(100))
    path = remux(whole, tmp_path / f"cut.{container}", without_first(10))
    assert_as_ffmpeg_shows(path, list(numbers))


def test_a_stream_without_key_frames_is_believed_once_the_decoder_shows_it(tmp_path: Path) -> None:
    """Refreshed column by column: its decoder waits a round, and never meets a key frame."""
    path = remux(made(tmp_path, "mkv", "h264 refreshed", range(100)), tmp_path / "cut.mkv", without_first(10))
    shown, _ = shown_by_ffmpeg(path)
    assert shown == list(range(shown[0], 100)) and 20 < shown[0] < 60
    frames = got(path)
    assert numbers_of(frames) == shown and frames[0].frame_id == 0


@pytest.mark.parametrize("codec", ["hevc", "hevc open groups"])
@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_hevc_that_starts_between_key_frames_shows_nothing_before_the_first(
    tmp_path: Path, container: str, codec: str
) -> None:
    """Debian's older ffmpeg shows grey pictures there; the one in PyAV none."""
    path = remux(made(tmp_path, "mp4", codec, range(100)), tmp_path / f"cut.{container}", without_first(10))
    frames = got(path)
    assert numbers_of(frames) == list(range(25, 100))
    assert [frame.frame_id for frame in frames] == list(range(75))


@pytest.mark.parametrize("container", ["mp4", "mkv", "avi"])
def test_mpeg4_that_starts_between_key_frames_keeps_its_grey_pictures_for_itself(
    tmp_path: Path, container: str
) -> None:
    path = remux(made(tmp_path, "mp4", "mpeg4", range(100)), tmp_path / f"cut.{container}", without_first(10))
    shown, _ = shown_by_ffmpeg(path)
    frames = got(path)
    first = frames[0].frame_id
    assert 10 < first < 25 and -1 in shown[:first]
    assert [frame.frame_id for frame in frames] == list(range(first, len(shown)))
    assert numbers_of(frames) == shown[first:] == list(range(shown[first], shown[-1] + 1))
    assert frame_index(path).damaged == set(range(first))


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("mkv", "h264"),
        ("ts", "h264"),
        ("m2ts", "h264"),
        ("flv", "h264"),
        ("h264", "h264"),
        ("avi", "mpeg4"),
        ("avi", "mjpeg"),
        ("avi", "raw"),
        ("mpg", "mpeg2"),
        ("webm", "vp9"),
        ("wmv", "wmv2"),
        ("mkv", "prores"),
        ("hevc", "hevc"),
    ],
)
def test_a_file_that_is_cut_off_keeps_the_frames_before_its_end(tmp_path: Path, container: str, codec: str) -> None:
    whole = made(tmp_path, container, codec)
    path = tmp_path / f"cut.{container}"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 63 // 100])
    shown, _ = shown_by_ffmpeg(path)
    frames = got(path)
    assert numbers_of(frames) == [shown[frame.frame_id] for frame in frames]
    assert 20 < frame_index(path).n_frames == len(shown) < N
    # What FFmpeg marks as torn, with what leans on it: the last packets, of which one of MPEG's holds several pictures.
    assert len(frames) >= len(shown) - 8


def ffmpeg(*arguments: object) -> None:
    line = ["ffmpeg", "-y", "-loglevel", "error", "-nostdin"]
    subprocess.run([*line, *map(str, arguments)], check=True)


def starting_with(path: Path, first: int) -> None:
    """Frames in order from this one on, as ffmpeg shows them."""
    shown, _ = shown_by_ffmpeg(path)
    assert shown[0] == first
    assert_as_ffmpeg_shows(path, list(range(first, first + len(shown))))


@pytest.mark.parametrize("container", ["mp4", "mov"])
@pytest.mark.parametrize("codec", ["h264", "hevc", "mpeg4"])
def test_an_edit_list_hides_the_frames_before_a_lossless_trim(tmp_path: Path, container: str, codec: str) -> None:
    whole = made(tmp_path, container, codec)
    path = tmp_path / f"trimmed.{container}"
    ffmpeg("-ss", "0.5", "-i", whole, "-c", "copy", path)
    with av.open(str(path)) as container_:
        assert container_.streams.video[0].frames > len(shown_by_ffmpeg(path)[0]), "nothing is hidden"
    starting_with(path, 15)


@pytest.mark.parametrize("container", ["mkv", "ts", "flv"])
def test_a_lossless_trim_without_edit_lists_starts_at_a_key_frame(tmp_path: Path, container: str) -> None:
    whole = made(tmp_path, container, "h264")
    path = tmp_path / f"trimmed.{container}"
    ffmpeg("-ss", "1", "-i", whole, "-c", "copy", path)
    starting_with(path, 50 if container == "ts" else 25)


def test_a_fragmented_file_shows_all_its_fragments(tmp_path: Path) -> None:
    whole = made(tmp_path, "mp4", "h264")
    ffmpeg("-i", whole, "-c", "copy", "-movflags", "frag_keyframe+empty_moov", tmp_path / "fragments.mp4")
    assert_as_ffmpeg_shows(tmp_path / "fragments.mp4", list(range(N)))


@pytest.mark.parametrize(("container", "codec"), [("ts", "h264"), ("ts", "mpeg2"), ("ts", "hevc"), ("mpg", "mpeg2")])
def test_joined_streams_count_on_and_their_time_goes_on(tmp_path: Path, container: str, codec: str) -> None:
    one, other = made(tmp_path, container, codec), made(tmp_path, container, codec, range(100, 100 + N))
    joined = tmp_path / f"joined.{container}"
    joined.write_bytes(one.read_bytes() + other.read_bytes())
    assert_as_ffmpeg_shows(joined, [*range(N), *range(100, 100 + N)])


def test_a_change_of_size_in_mid_stream_is_no_break(tmp_path: Path) -> None:
    one, other = made(tmp_path, "ts", "h264"), made(tmp_path, "ts", "h264", range(100, 100 + N), size_wh=(640, 192))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(one.read_bytes() + other.read_bytes())
    assert_as_ffmpeg_shows(joined, [*range(N), *range(100, 100 + N)])
    assert {frame.picture.size_wh_px for frame in got(joined)} == {(320, 96), (640, 192)}


def stamped(folder: Path, container: str, stamp: Callable[[int], int]) -> Path:
    """A video without frames that are shown in another order, its presentation stamps as given, in frame periods."""
    even = made(folder, "mp4", "h264", range(N), bf="0")

    def change(packets: list[av.Packet]) -> list[av.Packet]:
        step = packets[1].dts - packets[0].dts
        for place, packet in enumerate(packets):
            packet.dts, packet.pts = place * step, stamp(place) * step
        return packets

    return remux(even, folder / f"stamped.{container}", change)


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts", "flv"])
@pytest.mark.parametrize(
    "stamp", [lambda k: (49 if k == 50 else k) + 2, lambda k: (0 if k < 3 else k) + 3], ids=["middle", "start"]
)
def test_frames_of_one_stamp_are_still_frames(tmp_path: Path, container: str, stamp: Callable[[int], int]) -> None:
    path = stamped(tmp_path, container, stamp)
    assert shown_by_ffmpeg(path)[0] == list(range(N))
    frames = got(path)
    assert numbers_of(frames) == [frame.frame_id for frame in frames] == list(range(N))
    # By the file's own stamps, which ffmpeg gives up for the packets' order.
    expected = [(stamp(place) - stamp(0)) / 30 for place in range(N)]
    assert [frame.presentation_seconds for frame in frames] == pytest.approx(expected, abs=2.1e-3)


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "ts", "flv"])
@pytest.mark.parametrize(
    "stamps",
    [
        [place if place < 30 else place + 90 for place in range(N)],
        [place if place < 30 else 30 + 3 * (place - 30) for place in range(N)],
    ],
    ids=["a gap of three seconds", "another rate"],
)
def test_gaps_and_other_rates_are_in_the_times(tmp_path: Path, container: str, stamps: list[int]) -> None:
    path = made(tmp_path, container, "h264", stamps=stamps)
    assert_as_ffmpeg_shows(path, list(range(N)))
    assert frame_index(path).stamps_us[-1] == pytest.approx(stamps[-1] / 30 * 1e6, abs=2_100)


@pytest.mark.parametrize("container", ["mkv", "ts"])
def test_stamps_out_of_order_do_not_drift(tmp_path: Path, container: str) -> None:
    """Muxers that know no B-frames stamp a frame when its packet comes."""

    def change(packets: list[av.Packet]) -> list[av.Packet]:
        for packet in packets:
            packet.pts = packet.dts
        return packets

    path = remux(made(tmp_path, "mp4", "h264", fps=5), tmp_path / f"sloppy.{container}", change)
    frames = got(path)
    assert numbers_of(frames) == list(range(N))
    seconds = np.array([frame.presentation_seconds for frame in frames])
    assert (np.diff(seconds) >= 0).all() and np.abs(seconds - np.arange(N) / 5).max() < 0.7


def later_by(seconds: float) -> Callable[[list[av.Packet]], list[av.Packet]]:
    def change(packets: list[av.Packet]) -> list[av.Packet]:
        for packet in packets:
            shift = round(seconds / packet.time_base)
            packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
        return packets

    return change


def test_stamps_that_matroska_cannot_hold_are_counted_on(tmp_path: Path) -> None:
    """FFmpeg reads those below zero as none, and what comes after them as earlier."""
    whole = made(tmp_path, "mp4", "h264")
    path = remux(whole, tmp_path / "below.mkv", later_by(-0.7), avoid_negative_ts="disabled")
    frames = got(path)
    assert numbers_of(frames) == shown_by_ffmpeg(path)[0] == list(range(N))
    assert [frame.presentation_seconds for frame in frames] == pytest.approx(np.arange(N) / 30, abs=2.1e-3)


@pytest.mark.parametrize("container", ["mp4", "mov", "ts"])
def test_stamps_below_zero_are_hidden_by_an_edit_list_alone(tmp_path: Path, container: str) -> None:
    whole = made(tmp_path, "mp4", "h264")
    path = remux(whole, tmp_path / f"below.{container}", later_by(-0.7), avoid_negative_ts="disabled")
    shown, _ = shown_by_ffmpeg(path)
    first = shown[0]
    assert (first > 0) == (container in ("mp4", "mov"))
    assert_as_ffmpeg_shows(path, list(range(first, N)))


@pytest.mark.parametrize("before_seconds", [0.1, 0.7, 1.9])
def test_a_clock_that_wraps_goes_on(tmp_path: Path, before_seconds: float) -> None:
    """MPEG's stamps have 33 bits of 90 kHz: a camera that runs for a day and a half begins anew at 0."""
    wrap = later_by(2**33 / 90_000 - before_seconds)
    path = remux(
        made(tmp_path, "mp4", "h264"), tmp_path / "wrap.ts", wrap, mpegts_copyts="1", avoid_negative_ts="disabled"
    )
    assert_as_ffmpeg_shows(path, list(range(N)))


@pytest.mark.parametrize("container", ["ts", "mkv", "mp4"])
def test_two_packets_of_a_field_each_are_one_frame(tmp_path: Path, container: str) -> None:
    units = field_units(range(N))
    (tmp_path / "fields.h264").write_bytes(b"".join(units))
    path = tmp_path / f"fields.{container}"
    with av.open(str(tmp_path / "fields.h264")) as source, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for place, content in enumerate(units):
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, stream.time_base
            packet.pts = packet.dts = round((1 + place / 50) / stream.time_base)
            out.mux(packet)
    with av.open(str(path)) as video:
        assert sum(packet.size > 0 for packet in video.demux(video=0)) in (N, 2 * N)
    frames = got(path)
    assert numbers_of(frames) == [frame.frame_id for frame in frames] == shown_by_ffmpeg(path)[0] == list(range(N))
    assert [frame.presentation_seconds for frame in frames] == pytest.approx(np.arange(N) / 25, abs=2.1e-3)
    assert container_times(path).frames_per_second == pytest.approx(25, rel=0.03)


def skipped_picture(n_bits: int, at: int) -> bytes:
    """MPEG-4's mark of a picture that is the one before again. Source: ISO/IEC 14496-2, 6.2.5."""
    bits = f"01{0}1{at:0{n_bits}b}10"
    bits += "0" + "1" * (-(len(bits) + 1) % 8)
    return b"\0\0\1\xb6" + bytes(int(bits[start : start + 8], 2) for start in range(0, len(bits), 8))


def test_divx_packs_two_frames_into_one_packet(tmp_path: Path) -> None:
    """[I] [P B] [skip] [P B] [skip] ...: as many packets as frames, and none of them where its frame is shown."""
    whole = made(tmp_path, "mp4", "mpeg4", range(N), bf="1", g="100", b_strategy="0")

    def packed(packets: list[av.Packet]) -> list[av.Packet]:
        contents = [bytes(packet) for packet in packets]
        contents[0] = contents[0].replace(b"\0\0\1\xb6", b"\0\0\1\xb2DivX503b1393p\0\0\1\xb6", 1)
        pairs = zip(contents[1::2], contents[2::2], strict=False)
        joined = [content for p, b in pairs for content in (p + b, skipped_picture(5, 0))]
        made = []
        for place, content in enumerate([contents[0], *joined]):
            packet = av.Packet(content)
            packet.pts = packet.dts = place
            packet.time_base, packet.is_keyframe = Fraction(1, 30), place == 0
            made.append(packet)
        return made

    path = remux(whole, tmp_path / "divx.avi", packed)
    frames = got(path)
    assert numbers_of(frames) == [frame.frame_id for frame in frames] == shown_by_ffmpeg(path)[0] == list(range(N - 1))
    assert [frame.presentation_seconds for frame in frames] == pytest.approx(np.arange(N - 1) / 30)


@pytest.mark.parametrize("container", ["mkv", "ts", "mp4", "avi"])
def test_many_packets_of_sound_in_a_row_hide_no_frame(tmp_path: Path, container: str) -> None:
    whole, n_sounds = made(tmp_path, "mp4", "h264" if container != "avi" else "mjpeg"), 5_000
    path = tmp_path / f"loud.{container}"
    with av.open(str(whole)) as source, av.open(str(path), "w") as out:
        pictures = [packet for packet in source.demux(video=0) if packet.size]
        sound = out.add_stream("mp2", rate=48_000)
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in pictures[: N // 2]:
            packet.stream = stream
            out.mux_one(packet)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 2 * 1152), np.int16), format="s16", layout="stereo")
        silence.sample_rate = 48_000
        for place in range(n_sounds):
            silence.pts = place * 1152
            for packet in sound.encode(silence):
                out.mux_one(packet)
        for packet in pictures[N // 2 :]:
            packet.stream = stream
            out.mux_one(packet)
    with av.open(str(path)) as video:
        streams = [packet.stream.type for packet in video.demux() if packet.size]
    assert "audio" * 4_097 in "".join(streams), "the container sorts its packets"
    assert numbers_of(got(path)) == shown_by_ffmpeg(path)[0] == list(range(N))


def boxes_in(content: bytes) -> list[bytes]:
    """The boxes of an MP4, or of what one of them holds."""
    found, at = [], 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        found.append(content[at : at + size])
        at += size
    return found


def test_a_cover_picture_in_front_is_not_the_video(tmp_path: Path) -> None:
    whole = made(tmp_path, "mp4", "h264")
    write(tmp_path / "cover.mp4", [300], "mjpeg", pix_fmt="yuvj420p", size_wh=(640, 480))
    path = tmp_path / "covered.mp4"
    streams = ["-i", tmp_path / "cover.mp4", "-i", whole, "-map", "0", "-map", "1", "-c", "copy"]
    ffmpeg(*streams, "-disposition:v:0", "attached_pic", path)
    # The cover lies in the tags, which some cameras write before the tracks: in that order FFmpeg counts streams.
    *others, header = boxes_in(path.read_bytes())
    assert header[4:8] == b"moov"
    inner = sorted(boxes_in(header[8:]), key=lambda box: box[4:8] != b"udta")
    path.write_bytes(b"".join(others) + header[:8] + b"".join(inner))
    with av.open(str(path)) as video:
        assert video.streams.video[0].width == 640
    assert_as_ffmpeg_shows(path, list(range(N)))


def test_a_stream_of_one_picture_in_front_is_a_cover_too(tmp_path: Path) -> None:
    whole = made(tmp_path, "mp4", "h264")
    write(tmp_path / "cover.mp4", [300], "mjpeg", pix_fmt="yuvj420p", size_wh=(64, 48))
    path = tmp_path / "preview.mov"
    ffmpeg("-i", tmp_path / "cover.mp4", "-i", whole, "-map", "0", "-map", "1", "-c", "copy", path)
    assert numbers_of(got(path)) == list(range(N))


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", path)
    with pytest.raises(UnreadableVideoError, match=r"sound\.mp4 holds no video stream"):
        got(path)


def test_a_cover_alone_is_no_video(tmp_path: Path) -> None:
    write(tmp_path / "cover.mp4", [300], "mjpeg", pix_fmt="yuvj420p")
    path = tmp_path / "song.mp4"
    sine = ["-f", "lavfi", "-i", "sine=duration=1", "-i", tmp_path / "cover.mp4", "-map", "0", "-map", "1"]
    ffmpeg(*sine, "-c:v", "copy", "-disposition:v:0", "attached_pic", path)
    with pytest.raises(UnreadableVideoError, match=r"song\.mp4 holds no video stream"):
        got(path)


@pytest.mark.parametrize("name", ["T10:30.mp4", "50% reef.mp4", "Fähre 魚.mp4", "clip%03d.mp4", "a?b#c.mp4", "-i.mp4"])
def test_a_name_that_looks_like_an_address_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    made(tmp_path, "mp4", "h264").rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert numbers_of(got(Path(name))) == list(range(N))


def test_a_title_in_another_encoding_is_no_fault(tmp_path: Path) -> None:
    path = made(tmp_path, "avi", "mjpeg")
    ffmpeg("-i", path, "-c", "copy", "-metadata", "title=Xxxxx reef", tmp_path / "titled.avi")
    content = (tmp_path / "titled.avi").read_bytes()
    assert b"Xxxxx" in content
    (tmp_path / "titled.avi").write_bytes(content.replace(b"Xxxxx", "Fähre".encode("latin-1")))
    assert numbers_of(got(tmp_path / "titled.avi")) == list(range(N))
