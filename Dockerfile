# One image for the webhook, the agent and the command lateen: docker build -t IMAGE .

# The files of Lateen are made as `make rootfs` makes them everywhere: dev/rootfs.ts says which they are.
# Any Node from 18 on will do here; what is put into the image is the one that package-lock.json pins.
FROM node:22-bookworm-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git make \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY dev/install-runtime.mjs dev/
RUN npm ci
COPY . .
RUN make rootfs OUT=/rootfs

FROM debian:bookworm-slim
# git and ssh speak to repositories, util-linux confines kustomize, tini reaps what a killed git leaves behind.
# The user has a name because ssh does not run for one without.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git libstdc++6 openssh-client tini util-linux \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 65532 lateen \
 && useradd --uid 65532 --gid 65532 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin lateen
COPY --from=build /rootfs/ /
ENV PATH=/usr/local/bin:/usr/bin:/bin
USER 65532:65532
ENTRYPOINT ["tini", "--"]
CMD ["lateen", "--help"]
