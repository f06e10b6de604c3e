package devenv

import "syscall"

// freeSpace is what a user may still write to the file system of dir, in bytes.
func freeSpace(dir string) int64 {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0
	}
	return int64(st.Bavail) * st.Bsize
}
