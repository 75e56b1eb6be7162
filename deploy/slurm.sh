#!/usr/bin/env bash
# A gensweep sweep on a Ray cluster inside one Slurm allocation: a head on its first node, a worker on each other one.
#
#   sbatch --nodes 3 --gpus-per-node 1 deploy/slurm.sh run gan --trials 64 --gpus-per-trial 0.25
#   squeue --me                                  # waiting, running?
#   tail -f gensweep-JOBID.log                   # the sweep's progress
#   gensweep status /shared/gensweep/gan-digits  # from the login node: the folder is shared
#   scancel JOBID                                # ends it, and Ray on every node; the same sbatch goes on
#
# An allocation costs its nodes for as long as it lasts, used or not: ask for the time that `gensweep plan` says, and a
# little more. When the time is up nothing is lost: the same sbatch again goes on.
#SBATCH --job-name=gensweep
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --time=04:00:00
#SBATCH --output=gensweep-%j.log
set -euo pipefail

: "${GENSWEEP_RESULTS:=/shared/gensweep}"   # EDIT: a folder that all nodes share; each trial writes there
: "${GENSWEEP_ENV:=$HOME/gensweep-env}"     # EDIT: where gensweep[cluster] is installed, on a shared file system

if [ $# -eq 0 ]; then
    echo "usage: sbatch deploy/slurm.sh run MODEL ..., as behind \`gensweep\`" >&2
    exit 2
fi
if [ -z "${SLURM_JOB_NODELIST:-}" ]; then
    echo "this is no Slurm allocation: type sbatch $0 $*" >&2
    exit 2
fi
export PATH="$GENSWEEP_ENV/bin:$PATH"

# Other users' jobs run on the same network: without the token anyone who reaches the head could run code as you. It
# goes to the nodes by the shared home, never on a command line, which every user of a node can read.
export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0
export RAY_AUTH_TOKEN_PATH="$HOME/.ray/auth_token"
if [ ! -s "$RAY_AUTH_TOKEN_PATH" ]; then
    mkdir -p "${RAY_AUTH_TOKEN_PATH%/*}"
    (umask 077 && ray get-auth-token --generate > /dev/null)
fi
chmod 600 "$RAY_AUTH_TOKEN_PATH"

on() { srun --overlap --nodes=1 --ntasks=1 --nodelist="$1" "${@:2}"; }

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
# Ports by job number, since two jobs of a user may share a node; below the range that Ray gives to its workers.
port=$((6400 + SLURM_JOB_ID % 1000))
read -r address _ < <(on "${nodes[0]}" hostname --ip-address)
cpus=${SLURM_CPUS_PER_TASK:-1}
gpus=${SLURM_GPUS_ON_NODE:-0}
# Each job has a session folder of its own: Ray's usual one belongs to whoever came first.
ray_start=(ray start --block --num-cpus "$cpus" --num-gpus "$gpus" --disable-usage-stats)

# Ray ends with its step, and every step with the allocation, so that there is nothing to clean up.
on "${nodes[0]}" "${ray_start[@]}" --head --node-ip-address "$address" --port "$port" --include-dashboard=false \
    --temp-dir "${TMPDIR:-/tmp}/ray-$SLURM_JOB_ID" &
trap 'kill $(jobs -p) 2> /dev/null || true' EXIT
on "${nodes[0]}" python -m gensweep.cluster.head wait 1 300 "$GENSWEEP_RESULTS" "$address:$port"
for node in "${nodes[@]:1}"; do
    on "$node" "${ray_start[@]}" --address "$address:$port" &
done
on "${nodes[0]}" python -m gensweep.cluster.head wait "${#nodes[@]}" 300 "$GENSWEEP_RESULTS" "$address:$port"
cd "$GENSWEEP_RESULTS"
more=(--address "$address:$port")
[ "$1" != run ] || more+=(--storage journal)
if [ "$1" = run ] || [ "$1" = study ]; then more+=(--results .); fi
on "${nodes[0]}" gensweep "$@" "${more[@]}"
