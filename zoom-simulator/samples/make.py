#!/usr/bin/env python3
"""Makes the sample recordings of this folder again; see README.md.

Needs flite (the voices) and ffmpeg (the encoder); the real speech also needs Debian's pocketsphinx-testdata.
The text files come out identical; the audio sounds the same, its bytes depend on ffmpeg's version.

    python3 make.py [librivox] [sales-call]        # without an argument: both
"""

import subprocess
import sys
import tempfile
import wave
from pathlib import Path

HERE = Path(__file__).resolve().parent


# --- sound -----------------------------------------------------------------------------------------------------

RATE = 16_000  # what the voices and the LibriVox clips have


def read_wav(path):
    with wave.open(str(path)) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (RATE, 1, 2), path
        return wav.readframes(wav.getnframes())


def silence(seconds):
    return bytes(2 * round(seconds * RATE))


def seconds_of(pcm):
    return len(pcm) / 2 / RATE


def encode(pcm, target, rate, bit_rate):
    """Mono AAC-LC in M4A, index first, without any tag that would differ from run to run."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as source:
        with wave.open(source.name, "wb") as wav:
            wav.setnchannels(1)
            wav.setsampwidth(2)
            wav.setframerate(RATE)
            wav.writeframes(pcm)
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-i", source.name, "-ac", "1", "-ar", str(rate)]
            + ["-c:a", "aac", "-profile:a", "aac_low", "-b:a", bit_rate]
            + ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact"]
            + ["-movflags", "+faststart", str(target)],
            check=True,
        )


# --- text, the way Zoom writes it --------------------------------------------------------------------------------


def clock(seconds, decimals=3):
    ms = round(seconds * 1000)
    text = f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}"
    return text if decimals == 0 else f"{text}.{ms % 1000:03}"


def write_vtt(path, cues):
    """`cues`: (start, end, speaker, text) in seconds, in order."""
    blocks = ["WEBVTT\n"]
    for number, (start, end, speaker, text) in enumerate(cues, 1):
        assert end - start <= 30, f"Zoom cuts cues at 30 s: {text}"
        blocks.append(f"{number}\n{clock(start)} --> {clock(end)}\n{speaker}: {text}\n")
    path.write_text("\n".join(blocks), encoding="utf-8", newline="\n")


def write_chat(path, messages):
    lines = [f"{clock(at, 0)}\t{name}:\t{text}" for at, name, text in messages]
    path.write_text("".join(line.replace("\n", "\r\n") + "\r\n" for line in lines), encoding="utf-8", newline="")


# --- librivox: real speech ---------------------------------------------------------------------------------------

CLIPS = Path("/usr/share/pocketsphinx/test/data/librivox")
READER = "Eleanor Hart"
# The words of the clips with the capitals and stops that Zoom's transcript has.
SENTENCES = {
    "0870": "And Mister John Dashwood had then leisure to consider how much there might be prudently in his power to do for them.",
    "0880": "He was not an ill-disposed young man.",
    "0890": "Unless to be rather cold-hearted and rather selfish is to be ill-disposed.",
    "0920": "Had he married a more amiable woman, he might have been made still more respectable than he was.",
    "0930": "He might even have been made amiable himself.",
}
PAUSE = 1.2


def librivox():
    target = HERE / "librivox"
    pcm, cues, reference = silence(PAUSE), [], []
    transcription = (CLIPS / "transcription").read_text(encoding="ascii").splitlines()
    for line in transcription:  # `<s> words </s> (name-0870)`
        words, name = line.removeprefix("<s> ").split(" </s> ")
        name = name.strip("()")
        clip = read_wav(CLIPS / f"{name}.wav")
        start = seconds_of(pcm)
        pcm += clip + silence(PAUSE)
        cues.append((start, start + seconds_of(clip), READER, SENTENCES[name[-4:]]))
        reference.append(words)
    write_vtt(target / "transcript.vtt", cues)
    (target / "reference.txt").write_text("\n".join(reference) + "\n", encoding="utf-8", newline="\n")
    encode(pcm, target / "audio.m4a", rate=32_000, bit_rate="48k")


# --- sales-call: our script, two synthetic voices ------------------------------------------------------------------

VOICES = {"Maya Chen": "slt", "Daniel Ortiz": "rms"}


def speak(speaker, text, wav):
    subprocess.run(["flite", "-voice", VOICES[speaker], "-t", text, "-o", str(wav)], check=True)
    return read_wav(wav)


def trim(pcm, level=200):
    """Without the quiet the voice puts before and after; times are meant to be those of the words."""
    loud = [i for i in range(0, len(pcm), 2) if abs(int.from_bytes(pcm[i : i + 2], "little", signed=True)) > level]
    return pcm[max(0, loud[0] - 640) : loud[-1] + 640]


def read_script(path):
    """Yields (kind, speaker, extra pause, text); kind is "say" or "chat"."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        kind = "chat" if line.startswith("@chat ") else "say"
        head, text = line.removeprefix("@chat ").split(": ", 1)
        speaker, _, extra = head.partition(" [+")
        yield kind, speaker, float(extra.rstrip("]") or 0), text.replace("\\n", "\n")


def sales_call():
    target = HERE / "sales-call"
    pcm, cues, messages = silence(2.0), [], []
    previous = None
    with tempfile.TemporaryDirectory() as folder:
        for kind, speaker, extra, text in read_script(target / "script.txt"):
            if kind == "chat":
                messages.append((seconds_of(pcm), speaker, text))
                continue
            pause = 0.35 if speaker == previous else 0.55 + 0.02 * (len(text) % 20)  # turns differ a little
            pcm += silence(pause + extra)
            start = seconds_of(pcm)
            pcm += trim(speak(speaker, text, Path(folder) / "line.wav"))
            cues.append((start, seconds_of(pcm), speaker, text))
            previous = speaker
    pcm += silence(1.5)
    write_vtt(target / "transcript.vtt", cues)
    write_chat(target / "chat.txt", messages)
    encode(pcm, target / "audio.m4a", rate=16_000, bit_rate="12k")


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["librivox", "sales-call"]
    for name in wanted:
        {"librivox": librivox, "sales-call": sales_call}[name]()
