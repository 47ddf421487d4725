#!/usr/bin/env bash
# Every photo with a plate slides into a still, noisy view, stops for two seconds and leaves. Plates that are read when only
# changes are searched, and when all of every frame is.
#
#     bench/vision/passing.sh PLATES-DEV VISION FOLDER
set -euo pipefail
data=$1 vision=$2 work=$3
first=$(find "$data/us" -type f | sort | head -1)
ffmpeg -v error -y -i "$first" -frames:v 1 \
  -vf "scale=1280:720:force_original_aspect_ratio=increase,crop=1280:720,boxblur=3" "$work/view.png"
move="x='if(lt(t,3),-640+t*320,if(lt(t,5),320,320+(t-5)*320))':y=120"
touch "$work/changes" "$work/whole"
while IFS=$'\t' read -r set file _ _ _ _ plate; do
  case $set in us | eu | br) ;; *) continue ;; esac
  clip=$work/passing.mp4
  ffmpeg -v error -y -loop 1 -framerate 10 -t 8 -i "$work/view.png" -loop 1 -framerate 10 -t 8 -i "$data/$set/$file" \
    -filter_complex "[1]scale=640:480:force_original_aspect_ratio=decrease[car];[0][car]overlay=$move,noise=alls=6:allf=t,format=yuv420p" \
    -c:v libx264 -preset veryfast -crf 26 -t 8 "$clip" </dev/null
  printf '%s %s\n' "$plate" "$("$vision" --threads 2 speed "$clip" </dev/null)" >>"$work/changes"
  printf '%s %s\n' "$plate" "$("$vision" --threads 2 speed --whole "$clip" </dev/null)" >>"$work/whole"
done <"$data/labels.tsv"
for way in changes whole; do
  awk -v way="$way" '
    function fold(text) { gsub("O", "0", text); gsub("I", "1", text); return text }
    {
      rest = $0; sub(/.*plates: /, "", rest); sub(/\)$/, "", rest); count = split(rest, read, " "); hit = 0
      for (i = 1; i <= count; i++) if (fold(read[i]) == fold($1)) hit = 1; else extra++
      right += hit; frames += $2
    }
    END { printf "passing photos, %s searched: %d of %d plates, %d extra, %.1f frames a second\n", way, right, NR, extra, frames / NR }
  ' "$work/$way"
done
