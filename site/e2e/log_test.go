package e2e

import (
	"net/http"
	"strings"
	"sync"
)

// log remembers what was asked for.
type log struct {
	mu   sync.Mutex
	list []string
}

func (l *log) around(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.list = append(l.list, r.URL.Path)
		l.mu.Unlock()
		h.ServeHTTP(w, r)
	})
}

func (l *log) paths() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.list...)
}

// has reports whether a path was asked for that contains the one and ends in the
// other.
func (l *log) has(contains, ends string) bool {
	for _, p := range l.paths() {
		if strings.Contains(p, contains) && strings.HasSuffix(p, ends) {
			return true
		}
	}
	return false
}
