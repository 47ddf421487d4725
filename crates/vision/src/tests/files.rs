//! Videos: times, rotation, what is hostile, and plates from file to reading.

use super::{drawn, driver, every_frame, ffmpeg, frames, list, model};
use crate::cover::{CopyOptions, Suggestions};
use crate::frames::{Decoder, Frame, Limits, Queue, Sound, Source};
use crate::read::read_video;
use crate::{
    Detector, Eyes, Finder, IndexOptions, News, Objects, Picture, ReadOptions, Reading, Rect, Settings,
    Video, cover_copy, index_file, read_file,
};
use std::path::Path;
use std::time::Duration;

fn plate(news: News) -> Option<Reading> {
    match news {
        News::Plate(reading) => Some(*reading),
        News::Until(_) => None,
    }
}

fn near(a: Duration, seconds: f64) -> bool {
    (a.as_secs_f64() - seconds).abs() < 0.002
}

#[test]
fn times_are_those_of_the_container() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("variable.mkv");
    let name = file.to_str().unwrap();
    // Frames at 0, 0.1, 0.3, 0.6, 1.0 …: n(n+1)/20 seconds.
    let made = ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc=s=160x90:r=10:d=0.8",
        "-vf",
        "settb=1/1000,setpts=N*(N+1)*50",
        "-fps_mode",
        "passthrough",
        "-c:v",
        "mpeg4",
        name,
    ]);
    if !made {
        return;
    }
    let all = frames(&file, &every_frame()).unwrap();
    assert_eq!(all.len(), 8);
    for (n, frame) in all.iter().enumerate() {
        assert!(near(frame.time, (n * (n + 1)) as f64 / 20.0), "{n}: {:?}", frame.time);
        assert_eq!((frame.number, frame.time_corrected), (n as u64, false));
        assert_eq!((frame.picture.width(), frame.picture.height()), (160, 90));
    }
    let some = frames(&file, &Limits { frames_a_second: 2, ..every_frame() }).unwrap();
    let times: Vec<_> = some.iter().map(|frame| (frame.time.as_secs_f64() * 10.0).round()).collect();
    assert_eq!(times, [0.0, 6.0, 15.0, 21.0, 28.0]);
}

#[test]
fn turned_videos_come_upright_and_wide_ones_smaller() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, turned) = (folder.path().join("a.mp4"), folder.path().join("turned.mp4"));
    let a = plain.to_str().unwrap();
    if !ffmpeg(&["-f", "lavfi", "-i", "testsrc=s=320x180:r=5:d=0.4", "-c:v", "mpeg4", a]) {
        return;
    }
    // The same file with a quarter turn in its track's header.
    let mut bytes = std::fs::read(&plain).unwrap();
    let at = bytes.windows(4).position(|four| four == b"tkhd").unwrap() + 44;
    for (i, value) in [0u32, 0x0001_0000, 0, 0xffff_0000, 0, 0, 0, 0, 0x4000_0000].into_iter().enumerate() {
        bytes[at + i * 4..at + i * 4 + 4].copy_from_slice(&value.to_be_bytes());
    }
    std::fs::write(&turned, bytes).unwrap();
    let all = frames(&turned, &every_frame()).unwrap();
    assert_eq!((all[0].picture.width(), all[0].picture.height()), (180, 320));
    let all = frames(&plain, &Limits { most_width: 100, ..every_frame() }).unwrap();
    assert_eq!((all[0].picture.width(), all[0].picture.height()), (100, 56));
}

#[test]
fn ten_bits_and_large_frames_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hdr.mkv");
    let made = ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc=s=3840x2160:r=5:d=0.4",
        "-pix_fmt",
        "yuv420p10le",
        "-color_primaries",
        "bt2020",
        "-color_trc",
        "smpte2084",
        "-colorspace",
        "bt2020nc",
        "-c:v",
        "ffv1",
        file.to_str().unwrap(),
    ]);
    if made {
        let all = frames(&file, &every_frame()).unwrap();
        assert_eq!((all.len(), all[0].picture.width()), (2, 2560));
    }
}

#[test]
fn what_is_no_video_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (sound, good) = (path("sound.m4a"), path("good.mp4"));
    if !ffmpeg(&["-f", "lavfi", "-i", "sine=d=1", sound.to_str().unwrap()]) {
        return;
    }
    ffmpeg(&["-f", "lavfi", "-i", "testsrc=s=160x90:r=10:d=2", "-c:v", "mpeg4", good.to_str().unwrap()]);
    let whole = std::fs::read(&good).unwrap();
    std::fs::write(path("empty.mp4"), "").unwrap();
    std::fs::write(path("cut.mp4"), &whole[..whole.len() / 3]).unwrap();
    std::fs::write(
        path("noise.mp4"),
        (0..50_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect::<Vec<_>>(),
    )
    .unwrap();
    std::fs::write(path("list.m3u8"), "#EXTM3U\n#EXTINF:1,\ngood.mp4\n#EXT-X-ENDLIST\n").unwrap();
    std::fs::write(path("list.ffconcat"), "ffconcat version 1.0\nfile good.mp4\n").unwrap();
    std::fs::write(path("-option.mp4"), "x").unwrap();
    let words = [
        ("sound.m4a", "only sound"),
        ("empty.mp4", "empty"),
        ("cut.mp4", "damaged"),
        ("noise.mp4", "damaged"),
        ("list.m3u8", "no video"),
        ("list.ffconcat", "no video"),
        ("-option.mp4", "damaged"),
    ];
    for (name, word) in words {
        let error = frames(&path(name), &every_frame()).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(word), "{name}: {error}");
    }
    assert!(frames(&path("none.mp4"), &every_frame()).is_err());
    assert!(frames(folder.path(), &every_frame()).is_err());
    // A file whose end is damaged gives the frames before it.
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 3000].fill(0x55);
    std::fs::write(path("damaged.mp4"), damaged).unwrap();
    if let Ok(all) = frames(&path("damaged.mp4"), &every_frame()) {
        assert!(all.windows(2).all(|pair| pair[0].time < pair[1].time));
    }
}

#[test]
fn limits_of_time_and_memory_hold() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.mp4");
    if !ffmpeg(&["-f", "lavfi", "-i", "testsrc=s=640x360:r=25:d=40", "-c:v", "mpeg4", file.to_str().unwrap()])
    {
        return;
    }
    let mut decoder =
        Decoder::open(Source::File(file.clone()), &Limits { memory_mib: 24, ..every_frame() }).unwrap();
    assert!(decoder.next_frame().is_err());
    // A decoder that is let go of does not run on.
    let mut decoder = Decoder::open(Source::File(file), &every_frame()).unwrap();
    assert!(decoder.next_frame().unwrap().is_some());
    drop(decoder);
}

#[test]
fn a_drawn_video_is_read() {
    if model("plate-detector").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for i in 0..12u32 {
        let scene = drawn::scene("KTX4025", (300 + i * 16, 230 + i * 4), (140, 52), (960, 540));
        std::fs::write(folder.path().join(format!("{i:02}.jpg")), scene.jpeg(92).unwrap()).unwrap();
    }
    let file = folder.path().join("drive.mp4");
    let from = folder.path().join("%02d.jpg");
    if !ffmpeg(&[
        "-framerate",
        "10",
        "-i",
        from.to_str().unwrap(),
        "-c:v",
        "mpeg4",
        "-q:v",
        "2",
        file.to_str().unwrap(),
    ]) {
        return;
    }
    let mut finder = Finder::new(&list(), &driver(), Settings::default()).unwrap();
    let mut readings = Vec::new();
    read_file(&mut finder, &file, &ReadOptions::default(), &mut |news| readings.extend(plate(news))).unwrap();
    assert_eq!(readings.len(), 1, "{readings:?}");
    let reading = &readings[0];
    assert_eq!(reading.plate.as_str(), "KTX4025");
    assert!(reading.from <= reading.time && reading.time <= reading.until && reading.until <= Some(1.2));
    assert!(reading.frames > 4 && reading.crop.is_some());
    let json = serde_json::to_value(reading).unwrap();
    for field in ["file", "time", "box", "plate", "region", "confidence", "vehicle_type", "vehicle_colour"] {
        assert!(json.get(field).is_some(), "{field}");
    }
    let mut still = Vec::new();
    read_file(&mut finder, &folder.path().join("03.jpg"), &ReadOptions::default(), &mut |news| {
        still.extend(plate(news));
    })
    .unwrap();
    assert_eq!(still.iter().map(|reading| reading.plate.as_str()).collect::<Vec<_>>(), ["KTX4025"]);
    assert_eq!(still[0].time, None);
}

#[test]
fn where_only_changes_are_searched_the_same_is_read() {
    if model("plate-detector").is_none() {
        return;
    }
    let street = |i: u32| -> Picture {
        // Stands in view from the first frame, while another drives by, stops and leaves; noise of a camera everywhere.
        let mut rgb = drawn::scene("KTX4025", (150, 500), (150, 54), (1280, 720)).rgb().to_vec();
        let x = match i {
            0..10 => 40 + i * 60,
            10..20 => 640,
            _ => 640 + (i - 20) * 60,
        };
        let passing = drawn::scene("HNX3402", (60, 60), (150, 54), (270, 174));
        for (row, from) in passing.rgb().chunks_exact(270 * 3).enumerate() {
            let at = ((row + 120) * 1280 + x as usize) * 3;
            rgb[at..at + from.len()].copy_from_slice(from);
        }
        let mut noise = 2166136261u32 ^ i;
        for byte in &mut rgb {
            noise = noise.wrapping_mul(1664525).wrapping_add(1013904223);
            *byte = byte.saturating_add((noise >> 29) as u8);
        }
        Picture::new(1280, 720, rgb).unwrap()
    };
    let mut finder = Finder::new(&list(), &driver(), Settings::default()).unwrap();
    let mut read = |only_changes| {
        let mut video = Video::new("street", ReadOptions { only_changes, ..ReadOptions::default() });
        let mut plates = Vec::new();
        for i in 0..28u32 {
            let time = Duration::from_millis(u64::from(i) * 100);
            let frame = Frame { number: i.into(), time, time_corrected: false, picture: street(i) };
            plates.extend(video.see(&mut finder, &frame).unwrap());
        }
        let still = video.still;
        plates.extend(video.end());
        plates.sort_by_key(|reading| reading.plate);
        let read: Vec<_> = plates.iter().map(|r| (r.plate.as_str().to_owned(), r.from, r.until)).collect();
        (read, still)
    };
    let ((changes, still), (whole, none)) = (read(true), read(false));
    assert_eq!(whole.iter().map(|(plate, ..)| plate.as_str()).collect::<Vec<_>>(), ["HNX3402", "KTX4025"]);
    assert_eq!(changes, whole);
    assert!(still >= 4 && none == 0, "{still} frames in which nothing changed, {none}");
}

#[test]
fn a_part_of_a_picture_shows_what_the_whole_shows_there() {
    let Some(_) = model("plate-detector") else { return };
    let mut detector = Detector::new(&driver(), &list().files("plate-detector").unwrap(), 2).unwrap();
    let scene = drawn::scene("KTX4025", (500, 300), (150, 54), (1280, 720));
    for width in [1280, 960] {
        let whole = detector.at_width(&scene, width, 0.3).unwrap();
        let mut within =
            |x, y, w, h| detector.within(&scene, width, Some(&[Rect::new(x, y, w, h)]), 0.3).unwrap();
        let (one, part) = (whole[0], within(400.0, 200.0, 360.0, 260.0));
        assert_eq!(part.len(), 1, "{width}: {part:?}");
        assert!(part[0].rect.overlap(&one.rect) > 0.9, "{width}: {:?} and {:?}", part[0], one);
        assert!((part[0].score - one.score).abs() < 0.1, "{width}: {} and {}", part[0].score, one.score);
        assert_eq!(within(800.0, 0.0, 300.0, 200.0), [], "{width}: it is elsewhere");
        assert_eq!(within(520.0, 100.0, 60.0, 600.0), [], "{width}: it is cut off on both sides");
    }
}

#[test]
fn frames_side_by_side_are_told_in_order_and_stop_when_no_more_are_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("moving.mkv");
    let source = "testsrc=s=320x180:r=10:d=4";
    if model("plate-detector").is_none()
        || !ffmpeg(&["-f", "lavfi", "-i", source, "-c:v", "mpeg4", file.to_str().unwrap()])
    {
        return;
    }
    let mut options = ReadOptions { widths: vec![320, 64, 160], ..ReadOptions::default() };
    options.limits = every_frame();
    for threads in [1, 3] {
        let settings = Settings { threads, ..Settings::default() };
        let mut finder = Finder::new(&list(), &driver(), settings).unwrap();
        let mut seen = |most: usize| {
            let mut times = Vec::new();
            read_video(&mut finder, &file, &options, &mut |_, until| {
                times.push(until);
                times.len() < most
            })
            .unwrap();
            times
        };
        let all = seen(usize::MAX);
        assert_eq!((all.len(), all.last()), (41, Some(&None)), "forty frames and the end");
        let tenths: Vec<_> = all.iter().flatten().map(|time| (time.as_secs_f64() * 10.0).round()).collect();
        assert_eq!(tenths, (0..40).map(f64::from).collect::<Vec<_>>());
        assert_eq!(seen(5), all[..5], "{threads} threads");
    }
}

#[test]
fn a_full_queue_forgets_the_oldest_and_counts() {
    let queue = Queue::new(3);
    assert!((0..10).all(|i| queue.push(i)));
    assert_eq!(queue.dropped(), 7);
    let left: Vec<_> = std::iter::from_fn(|| queue.pop(Duration::ZERO)).collect();
    assert_eq!(left, [7, 8, 9]);
    let other = queue.clone();
    let thread = std::thread::spawn(move || (0..100).take_while(|i| other.push_waiting(*i)).count());
    let taken: Vec<_> = (0..100).filter_map(|_| queue.pop(Duration::from_secs(5))).collect();
    assert_eq!((thread.join().unwrap(), taken.len(), queue.dropped()), (100, 100, 7));
    queue.close();
    assert!(!queue.push(1) && !queue.push_waiting(1) && queue.pop(Duration::from_secs(5)).is_none());
}

#[test]
fn a_recording_that_begins_to_count_anew_never_runs_backwards() {
    let folder = tempfile::tempdir().unwrap();
    let (once, twice) = (folder.path().join("once.ts"), folder.path().join("twice.ts"));
    let name = once.to_str().unwrap();
    if !ffmpeg(&["-f", "lavfi", "-i", "testsrc=s=160x90:r=10:d=2", "-c:v", "mpeg2video", "-g", "5", name]) {
        return;
    }
    // A recorder that was started again writes on into the same file, and its clock starts at nought.
    let stream = std::fs::read(&once).unwrap();
    std::fs::write(&twice, [stream.as_slice(), stream.as_slice()].concat()).unwrap();
    let (single, all) = (frames(&once, &every_frame()).unwrap(), frames(&twice, &every_frame()).unwrap());
    assert!(all.len() > single.len() + 10, "{} frames of {} twice", all.len(), single.len());
    assert!(all.windows(2).all(|pair| pair[0].time < pair[1].time), "time runs backwards");
    let corrected = all.iter().filter(|frame| frame.time_corrected).count();
    let honest = all.last().unwrap().time > single.last().unwrap().time + Duration::from_secs(1);
    assert!(corrected > 0 || honest, "times are told as they are, or marked as mended");
}

#[test]
fn what_can_not_be_seen_is_told_by_reading_and_by_indexing() {
    if model("plate-detector").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut huge =
        b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02".to_vec();
    huge.extend([0x44; 40]);
    let jpeg = drawn::board("KTX4025", 320, 120).jpeg(90).unwrap();
    let cases: [(&str, &[u8]); 6] = [
        ("empty.mp4", b""),
        ("huge.gif", &huge),
        ("cut.jpg", &jpeg[..jpeg.len() / 20]),
        ("text.mp4", b"this is no video, whatever its name says"),
        ("list.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n"),
        ("page.mkv", b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10,\nhttp://127.0.0.1:1/x.ts\n"),
    ];
    let driver = driver();
    let mut finder = Finder::new(&list(), &driver, Settings::default()).unwrap();
    let objects = Objects::new(&driver, model("objects").unwrap(), 1).unwrap();
    let mut eyes = Eyes { objects, towers: None };
    for (name, bytes) in cases {
        std::fs::write(path(name), bytes).unwrap();
        let read = read_file(&mut finder, &path(name), &ReadOptions::default(), &mut |_| {});
        let seen = index_file(&mut eyes, &path(name), &IndexOptions::default(), &mut |_| {});
        for error in [read.unwrap_err(), seen.unwrap_err()] {
            assert!(error.to_string().contains(name), "{error}");
        }
    }
    // A picture that is called a video is a picture.
    std::fs::write(path("picture.mp4"), &jpeg).unwrap();
    let mut plates = Vec::new();
    read_file(&mut finder, &path("picture.mp4"), &ReadOptions::default(), &mut |news| {
        plates.extend(plate(news));
    })
    .unwrap();
    assert!(plates.iter().all(|reading| reading.time.is_none()), "{plates:?}");
}

#[test]
fn a_recording_that_says_hours_lie_between_two_frames_is_read_and_copied() {
    let folder = tempfile::tempdir().unwrap();
    let (file, copy) = (folder.path().join("jump.mkv"), folder.path().join("copy.mp4"));
    let jump = "settb=1/1000,setpts=N*100+gte(N\\,3)*36000000";
    let source = ["-f", "lavfi", "-i", "testsrc=s=160x90:r=10:d=0.6"];
    let end = ["-vf", jump, "-fps_mode", "passthrough", "-c:v", "ffv1", file.to_str().unwrap()];
    if !ffmpeg(&[&source[..], &end].concat()) {
        return;
    }
    let times = |path: &Path| -> Vec<u64> {
        let all = frames(path, &every_frame()).unwrap();
        all.iter().map(|frame| (frame.time.as_secs_f64() * 10.0).round() as u64).collect()
    };
    let hours = 360_000;
    assert_eq!(times(&file), [0, 1, 2, hours + 3, hours + 4, hours + 5]);
    let boxes = Vec::new();
    let none = Suggestions { file: "jump".into(), width: 160, height: 90, duration: 1.0, boxes };
    let facts = cover_copy(&file, &copy, &none, &CopyOptions::default(), &mut |_| {}).unwrap();
    assert_eq!(facts.frames, 6);
    assert_eq!(times(&copy), times(&file));
}

#[test]
fn a_gap_in_the_sound_is_filled_a_second_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gap.mkv");
    let gap = "asetpts=PTS+gte(T\\,1)*100/TB";
    let sound = ["-f", "lavfi", "-i", "sine=d=2:r=48000", "-af", gap, "-c:a", "pcm_s16le"];
    if !ffmpeg(&[&sound[..], &[file.to_str().unwrap()]].concat()) {
        return;
    }
    let mut sound = Sound::open(&file, &every_frame()).unwrap().unwrap();
    let mut next = 0;
    loop {
        let (first, samples) = sound.until(Duration::from_secs(200)).unwrap();
        assert_eq!(first, next, "in order, and none left out");
        assert!(samples.len() <= 48_000 * 4, "{}", samples.len());
        next += samples.len() as u64 / 4;
        if samples.is_empty() {
            break;
        }
    }
    assert!((101 * 48_000..=103 * 48_000).contains(&next), "{next}");
}
