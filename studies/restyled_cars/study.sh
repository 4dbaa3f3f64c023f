#!/bin/sh
# Makes everything of the study in the folder given, and its records in leaderboards/ beside this file.
#   BENCH_DATA=… sh study.sh FOLDER      (BENCH_DATA holds the car kit of cc0_cars as `cars`)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sets=$1
mkdir -p "$sets/meshes"
kit="$BENCH_DATA/cars/Models/OBJ format"
for car in ambulance delivery delivery-flat garbage-truck race-future sedan sedan-sports suv-luxury taxi truck-flat; do
  cp "$kit/$car.obj" "$kit/$car.mtl" "$sets/meshes"
done
cp -r "$kit/Textures" "$sets/meshes"
bench data render "$sets/meshes" --out "$sets/study_renders" --name cars --views 60 --size 128
python "$here/draw_photographs.py" "$sets/drawn"
bench data cutouts "$sets/drawn/photographs" --masks "$sets/drawn/masks" --out "$sets/study_photographs" --like "$sets/study_renders" --side 48
pip install -e "$here/bench-restyled"
export BENCH_DATA="$sets:$BENCH_DATA" BENCH_LEADERBOARDS="$here/leaderboards"
translation=$(bench run --method aist --protocol study_restyling --preset small --seed 0 --json | python -c "import json, sys; print(json.load(sys.stdin)['run_id'])")
bench data restyle "$translation" --renders "$sets/study_renders" --out "$sets/study_restyled"
for seed in 0 1 2; do
  for protocol in study_renders_outlines study_restyled_outlines; do
    bench run --method dpc --protocol "$protocol" --preset small --seed "$seed"
  done
  bench run --method random-features --preset dpc-small --protocol study_renders_outlines --seed "$seed"
done
bench run --method ellipsoid-cloud --protocol study_renders_outlines
