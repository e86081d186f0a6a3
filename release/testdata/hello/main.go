// Command hello stands for mppm in tests of what is released.
package main

import (
	"os"
	"strings"
)

func main() { os.Stdout.WriteString("hello says [" + strings.Join(os.Args[1:], " ") + "]\n") }
