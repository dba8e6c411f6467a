read_all <- function(path) {
  input <- file(path, "rb")
  on.exit(close(input))
  found <- list()
  repeat {
    size <- readBin(input, "double", 2)
    if (length(size) < 2) break
    found[[length(found) + 1]] <- matrix(readBin(input, "double", prod(size)), size[1], size[2])
  }
  found
}

write_all <- function(path, parts) {
  output <- file(path, "wb")
  on.exit(close(output))
  for (part in parts) {
    part <- as.matrix(part)
    writeBin(as.double(c(dim(part), part)), output)
  }
}

calls <- list(
CALLS
)
loaded <- list()
input <- file("stdin", "r")
options(warn = 2)
while (length(line <- trimws(readLines(input, n = 1))) > 0 && nzchar(line)) {
  answer <- tryCatch({
    number <- as.integer(line)
    if (nzchar(calls[[number + 1]][[1]]) && is.null(loaded[[line]])) {
      place <- new.env()
      sys.source(paste0(number, ".R"), place)
      loaded[[line]] <- place[[calls[[number + 1]][[1]]]]
    }
    write_all("out.bin", calls[[number + 1]][[2]](loaded[[line]], read_all("in.bin")))
    "done"
  }, error = function(e) paste("error", gsub("\n", " ", conditionMessage(e))))
  cat(answer, "\n", sep = "")
  flush(stdout())
}
