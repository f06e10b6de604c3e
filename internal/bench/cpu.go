//go:build unix

package bench

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ticks is USER_HZ, in which /proc counts; Linux has fixed it at 100.
const ticks = 100

// usage is processor time by process.
type usage map[string]time.Duration

// cpu reads what the product's processes and servers have used so far. Where
// there is no /proc, or a server is on another machine, it is left out.
func (p *product) cpu(ctx context.Context) usage {
	u := usage{}
	for _, name := range p.names {
		kind := strings.TrimRight(name, "0123456789")
		if d, ok := processTime(p.rig.Process(name).Pid()); ok {
			u[kind] += d
		}
	}
	if d, ok := p.redisTime(ctx); ok {
		u["redis"] = d
	}
	if d, ok := postgresTime(p.postmaster); ok {
		u["postgres"] = d
	}
	return u
}

// since is the difference to an earlier reading, in milliseconds for each 1,000 of n.
func (u usage) since(before usage, n int) map[string]float64 {
	out := map[string]float64{}
	for name := range maps.Keys(u) {
		if n > 0 {
			out[name] = float64((u[name] - before[name]).Microseconds()) / float64(n)
		}
	}
	return out
}

// stat is what /proc/<pid>/stat says of a process.
type stat struct {
	parent   int
	own      time.Duration
	children time.Duration // that have ended
}

// parseStat reads the line; the name in brackets may hold anything.
func parseStat(line string) (stat, error) {
	end := strings.LastIndexByte(line, ')')
	if end < 0 {
		return stat{}, fmt.Errorf("no name in the process's line")
	}
	f := strings.Fields(line[end+1:])
	if len(f) < 15 {
		return stat{}, fmt.Errorf("%d fields in the process's line", len(f))
	}
	var n [5]int64 // parent, utime, stime, cutime, cstime
	for i, at := range []int{1, 11, 12, 13, 14} {
		v, err := strconv.ParseInt(f[at], 10, 64)
		if err != nil {
			return stat{}, fmt.Errorf("field %d of the process's line is no number", at)
		}
		n[i] = v
	}
	tick := time.Second / ticks
	return stat{parent: int(n[0]), own: time.Duration(n[1]+n[2]) * tick, children: time.Duration(n[3]+n[4]) * tick}, nil
}

func readStat(pid int) (stat, bool) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return stat{}, false
	}
	s, err := parseStat(string(b))
	return s, err == nil
}

func processTime(pid int) (time.Duration, bool) {
	s, ok := readStat(pid)
	return s.own, ok
}

// postmaster finds PostgreSQL's first process from our session's.
func (s *servers) postmaster(ctx context.Context) int {
	var pid int
	if s.owner.QueryRow(ctx, `select pg_backend_pid() where inet_server_addr() is null`).Scan(&pid) != nil {
		return 0 // not on this machine, or not by its socket
	}
	st, _ := readStat(pid)
	return st.parent
}

// postgresTime adds up the server's first process, its children and those that
// have ended.
func postgresTime(postmaster int) (time.Duration, bool) {
	first, ok := readStat(postmaster)
	if !ok || postmaster <= 1 {
		return 0, false
	}
	sum := first.own + first.children
	all, _ := filepath.Glob("/proc/[0-9]*") // the pattern is a constant
	for _, dir := range all {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if st, ok := readStat(pid); ok && st.parent == postmaster {
			sum += st.own
		}
	}
	return sum, true
}

// redisTime asks Redis itself.
func (s *servers) redisTime(ctx context.Context) (time.Duration, bool) {
	info, err := s.redis.Info(ctx, "cpu").Result()
	if err != nil {
		return 0, false
	}
	sys, err1 := strconv.ParseFloat(infoField(info, "used_cpu_sys"), 64)
	user, err2 := strconv.ParseFloat(infoField(info, "used_cpu_user"), 64)
	return time.Duration((sys + user) * float64(time.Second)), err1 == nil && err2 == nil
}
