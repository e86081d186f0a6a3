package bundle

import (
	"fmt"
	"html"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mppm/site/internal/host"
)

// sourceLink is how the page names a line of the source: the file, and how the
// line begins.
var sourceLink = regexp.MustCompile(`"source:([a-z0-9_/.]+):([^"]+)"`)

// sources has the page's links to the source lead to its lines: in o.Source, or
// else on pages of the site's own, which it writes and names. style and icon are
// the names of the style sheet and the icon.
func (b *builder) sources(page, style, icon string) (linked string, names []string, err error) {
	linked = sourceLink.ReplaceAllStringFunc(page, func(link string) string {
		m := sourceLink.FindStringSubmatch(link)
		file, start := m[1], html.UnescapeString(m[2])
		content, e := os.ReadFile(filepath.Join(b.o.Root, filepath.FromSlash(file)))
		if e != nil {
			err = fmt.Errorf("site/static/index.html links to a source file: %w", e)
			return link
		}
		lines := strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
		at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, start) })
		if at < 0 {
			err = fmt.Errorf("site/static/index.html links to a line of %s that begins with %q; there is none", file, start)
			return link
		}
		if b.o.Source != "" {
			return fmt.Sprintf(`"%s/%s#L%d" rel="noreferrer"`, html.EscapeString(strings.TrimSuffix(b.o.Source, "/")), file, at+1)
		}
		name := path.Join("source", file+".html")
		if !slices.Contains(names, name) {
			names = append(names, name)
			if e := b.write(name, []byte(sourcePage(file, lines, style, icon))); e != nil {
				err = e
			}
		}
		return fmt.Sprintf(`"%s#L%d"`, name, at+1)
	})
	return linked, names, err
}

// sourcePage shows a source file, each line with its number, which can be linked
// to.
func sourcePage(file string, lines []string, style, icon string) string {
	up := strings.Repeat("../", strings.Count(path.Join("source", file), "/"))
	policy, _, _ := strings.Cut(host.Policy, "; frame-ancestors")
	var s strings.Builder
	fmt.Fprintf(&s, `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="%s">
<meta name="color-scheme" content="dark light">
<title>%s</title>
<link rel="icon" href="%s" type="image/svg+xml">
<link rel="stylesheet" href="%s">
</head>
<body class="source">
<header class="top"><h1>%s</h1><a href="%s">Back to the page</a></header>
<main><ol class="lines" tabindex="0" aria-label="The lines of %s">
`, policy, file, up+icon, up+style, file, up, file)
	for i, l := range lines {
		fmt.Fprintf(&s, "<li id=\"L%d\"><code>%s</code></li>\n", i+1, html.EscapeString(l))
	}
	s.WriteString("</ol></main>\n</body>\n</html>\n")
	return s.String()
}
