package metadata

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"mppm/shared/fault"
)

// ClassesKey is the metadata key of the names of a model's classes, one a line: the
// first is that of class 0. Weights of data whose classes are their numbers, as digits
// are, do not have it.
const ClassesKey = "classes"

// Bounds of what ClassesKey says.
const (
	maxClasses   = 256 // labels are bytes
	maxClassName = 64  // characters
)

// Classes returns the names of the classes that metadata has, class 0 first; nil where
// it has none. It returns an error if a name is empty, has more than 64 characters or
// one that cannot be printed, or if there are more than 256.
func Classes(meta map[string]string) ([]string, error) {
	text, ok := meta[ClassesKey]
	if !ok {
		return nil, nil
	}
	names := strings.Split(text, "\n")
	if err := CheckClasses(names); err != nil {
		return nil, fault.New(fault.ErrMetadata, "metadata: %s: %w", ClassesKey, err)
	}
	return names, nil
}

// SetClasses writes the names of classes to metadata; none, and the key is left out. It
// returns an error, and writes nothing, if Classes would refuse them.
func SetClasses(meta map[string]string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	if err := CheckClasses(names); err != nil {
		return err
	}
	meta[ClassesKey] = strings.Join(names, "\n")
	return nil
}

// CheckClasses returns an error that says which of the names Classes would refuse.
func CheckClasses(names []string) error {
	if len(names) > maxClasses {
		return fmt.Errorf("there are %d names of classes; give at most %d", len(names), maxClasses)
	}
	for i, name := range names {
		switch n := utf8.RuneCountInString(name); {
		case strings.TrimSpace(name) == "":
			return fmt.Errorf("the name of class %d is empty", i)
		case n > maxClassName:
			return fmt.Errorf("the name of class %d has %d characters; give at most %d", i, n, maxClassName)
		case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !strconv.IsPrint(r) }):
			return fmt.Errorf("the name of class %d, %q, has a character that cannot be printed", i, name)
		}
	}
	return nil
}
